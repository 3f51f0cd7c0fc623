package deliver

import (
	"math/rand/v2"
	"time"
)

// backoff doubles the wait from first to most with each try after the first, 0.
func backoff(try int, first, most time.Duration) time.Duration {
	if try >= 20 { // far beyond most, and short of an overflow
		return most
	}
	return min(first<<try, most)
}

// jitter takes up to a quarter off, so that bridges do not come all at once.
func jitter(wait time.Duration) time.Duration {
	return wait - time.Duration(rand.Int64N(int64(wait)/4+1))
}
