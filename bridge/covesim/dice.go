package covesim

import "time"

// dice gives random numbers that follow from what they were thrown with
// (splitmix64): cheap enough to be thrown anew for every backup of every device.
type dice uint64

func throw(with ...uint64) dice {
	var h uint64
	for _, w := range with {
		h = mix(h + w + 0x9e3779b97f4a7c15)
	}
	return dice(h)
}

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (d *dice) next() uint64 {
	*d += 0x9e3779b97f4a7c15
	return mix(uint64(*d))
}

// below gives 0 to n-1; 0 where n is not positive.
func (d *dice) below(n int64) int64 {
	if n <= 0 {
		return 0
	}
	return int64(d.next() % uint64(n))
}

func (d *dice) oneIn(n int64) bool   { return d.below(n) == 0 }
func (d *dice) percent(n int64) bool { return d.below(100) < n }

// between gives whole seconds from a up to b.
func (d *dice) between(a, b time.Duration) time.Duration {
	return (a + time.Duration(d.below(int64((b-a)/time.Second)+1))*time.Second).Truncate(time.Second)
}

// text gives n letters and digits, as Cove puts behind device names.
func (d *dice) text(n int) string {
	const signs = "abcdefghijkmnpqrstuvwxyz0123456789"
	b := make([]byte, n)
	for i := range b {
		b[i] = signs[d.below(int64(len(signs)))]
	}
	return string(b)
}

func pick[T any](d *dice, from []T) T { return from[d.below(int64(len(from)))] }
