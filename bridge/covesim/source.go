package covesim

// source is a data source, as the Cove API document's table has it.
type source struct {
	code   string // in columns
	letter string // in short codes of columns; empty: it has none
	plugin string // name at the nodes, or of the service for Microsoft 365
	id     int    // plugin number at the nodes; 0: not known
	bytes  int64  // usual size
	count  int64  // usual number of objects
}

// The data sources that the fleet has. The last one is in no table.
var (
	files        = source{"D01", "F", "FileSystem", 1, 400e9, 900_000}
	systemState  = source{"D02", "S", "VssSystemState", 7, 18e9, 90_000}
	linuxState   = source{"D02", "S", "LinuxSystemState", 18, 4e9, 60_000}
	exchange     = source{"D04", "X", "VssExchange", 4, 250e9, 40}
	sharePoint   = source{"D05", "", "SharePoint", 0, 120e9, 300_000}
	shares       = source{"D06", "N", "NetworkShares", 6, 600e9, 1_200_000}
	vmware       = source{"D08", "W", "VMWare", 8, 900e9, 24}
	sql          = source{"D10", "Z", "VssMsSql", 10, 60e9, 14}
	oracle       = source{"D12", "Y", "Oracle", 12, 150e9, 9}
	hyperV       = source{"D14", "H", "VssHyperV", 14, 700e9, 12}
	mySQL        = source{"D15", "L", "MySql", 15, 20e9, 30}
	mailboxes    = source{"D19", "G", "Exchange", 0, 300e9, 2_000_000}
	oneDrive     = source{"D20", "J", "OneDrive", 0, 500e9, 800_000}
	teams        = source{"D23", "", "Teams", 0, 40e9, 50_000}
	futureSource = source{"D27", "", "QuantumVault", 27, 5e9, 7}
)

// total is D09, which is no data source but the sum of all.
var total = source{code: "D09", letter: "T"}

// letters of data sources in short codes. D07 shares its letter with D02.
var letters = map[byte]string{
	'F': "D01", 'S': "D02", 'Q': "D03", 'X': "D04", 'N': "D06", 'W': "D08", 'T': "D09", 'Z': "D10", 'P': "D11",
	'Y': "D12", 'H': "D14", 'L': "D15", 'V': "D16", 'B': "D17", 'G': "D19", 'J': "D20",
}
