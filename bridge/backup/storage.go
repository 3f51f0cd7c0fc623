package backup

// Copy is how a place where backups are kept stands.
type Copy string

// The states of a copy. The empty one is not known, or there is none.
const (
	CopyOffline      Copy = "offline"
	CopyFailed       Copy = "failed"
	CopyRunning      Copy = "synchronising"
	CopySynchronised Copy = "synchronised"
)

// Storage is where a device's backups lie: in the cloud, and for some in a
// vault beside the device as well, from which the cloud is filled.
type Storage struct {
	Cloud Copy `json:"cloud,omitempty"`
	Vault Copy `json:"vault,omitempty"` // the LocalSpeedVault; empty: there is none
}

// lost tells whether what reaches the vault does not reach the cloud now.
func (s Storage) lost() bool {
	return s.Vault != "" && (s.Cloud == CopyOffline || s.Cloud == CopyFailed)
}
