package covesim

import "strings"

var (
	companies = []string{
		"Bakkerij Jansen BV", "Müller & Söhne GmbH", "Van Dijk Advocaten", "Tandartspraktijk De Linde",
		"Acme Ltd", "Ĉielo Ŝtono SA", "北京办公室", "O'Reilly Joinery", "Notariaat Peeters", "Gemeente Veldzicht",
		"Kwekerij Zonneveld", "Garage Lefèvre", "Architectenbureau Noord", "Smits Transport", "Huisartsen Oost",
		"Drukkerij Verhoeven", "Installatiebedrijf Kok", "Basisschool De Ark", "Stahlwerk Brandt KG", "Café Zürich",
	}
	sites     = []string{"Hoofdkantoor", "Magazijn", "Vestiging Süd", "Lager 2", "Bureau Liège"}
	resellers = []string{"Lowlands IT", "Netwerk Partners", "Rhein-Ruhr Systeme"}

	serverNames      = []string{"srv01", "srv02", "dc01", "file01", "sql01", "exch01", "hyperv01", "ext1012c", "rds01", "backup"}
	workstationNames = []string{"admin-pc", "laptop-07", "balie", "desktop-3f2", "macbook-anna", "kassa-1", "ws-014"}
	tenantNames      = []string{"acme", "jansenbv", "vandijk", "muellersoehne", "gemeenteveldzicht", "deark", "smits", "cafe-zurich"}

	serverSystems = []string{
		"Windows Server 2019 Standard (17763), 64-bit", "Windows Server 2022 Standard (20348), 64-bit",
		"Windows Server 2016 Datacenter (14393), 64-bit",
	}
	linuxSystems       = []string{"Debian GNU/Linux 12 (bookworm), 64-bit", "Ubuntu 22.04.5 LTS, 64-bit"}
	workstationSystems = []string{"Windows 11 Pro (22631), 64-bit", "Windows 10 Pro (19045), 64-bit", "macOS Sequoia (15.7.3), Intel-based"}
	clients            = []string{"26.1.0.26067", "25.11.0.25310", "25.8.2.25224"}

	nodes = []string{
		"ca-tr2-0203-21.cloudbackup.management", "nl-am1-0101-04.cloudbackup.management",
		"de-fr3-0107-12.cloudbackup.management", "uk-ln2-0302-33.cloudbackup.management",
	}

	hostileNames = []string{
		"büro-küche \"süd\"", "服务器<script>alert(1)</script>", "line\r\nBcc: evil@example.com\r\n\r\n<b>x", "a&b;'c'|$(d)\t\x07\u202ee",
	}
)

// hostile is a name that no administrator would give, but somebody did.
func hostile(nth int, huge bool) string {
	if huge && nth%2 == 0 {
		return strings.Repeat("long ", 2000) + hostileNames[nth%len(hostileNames)]
	}
	return hostileNames[nth%len(hostileNames)]
}
