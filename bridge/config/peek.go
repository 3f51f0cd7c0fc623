package config

// Peek is Load for who logs in nowhere: environment variables that are not set
// and files of secrets that can't be read are no error, and what they were for
// is empty. Only what the sections ledger and mail ask for must be there.
func Peek(path string) (*Config, error) { return load(path, true) }
