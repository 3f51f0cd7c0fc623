STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOLANGCI = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GREMLINS = github.com/go-gremlins/gremlins/cmd/gremlins@v0.6.0
NFPM = github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2
CYCLONEDX = github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
GOVULNCHECK = golang.org/x/vuln/cmd/govulncheck@v1.9.0

# The race detector needs a C compiler; without one the tests run all the same.
RACE := $(shell command -v $$(go env CC) >/dev/null 2>&1 && echo -race)
# With it comes a check of pointer arithmetic, which is a third of the work in
# SQLite, translated from C as it is; elsewhere is nothing to check, for nothing
# here does such arithmetic.
RACEFLAGS = $(RACE) -gcflags=all=-d=checkptr=0
TESTFLAGS =
# Tests that do less under the race detector (realtest.Raced), or that look at mails
# in a browser, where it sees nothing; `make test` runs them without it, too, or only.
BROWSER = ^TestReadable(WhenForcedDark|InABrowser)$$
WHOLE = $(BROWSER)|^Test(Fleet|BusyFleet|SharedLedger|TortureLoad|Wedged|DeviceClocks|TorturePromise|Poison|EachArrivesOnce|TortureWorld)$$
WHOLE_IN = ./bridge ./bridge/collect ./bridge/deliver ./bridge/internal/world ./bridge/message
# Packages whose tests drive other programs, the built one among them: what they
# test does not run where the race detector could see it.
OUTSIDE = ./backupchecks ./bridge/internal/deploy ./bridge/internal/endtoend
FUZZTIME = 30s
# What a build is named after: its version, its commit, and the commit's time in
# seconds since 1970, which dates the files in packages too.
RELEASE := $(or $(shell git describe --tags --always --dirty 2>/dev/null),devel)
COMMIT := $(or $(shell git rev-parse --short=12 HEAD 2>/dev/null),unknown)
export SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),0)
# v1.2.3-4-gabcdef becomes 1.2.3+4.gabcdef; what is no version sorts before all.
PACKAGE_VERSION = $(shell echo '$(RELEASE)' | sed -E 's/^v//; /^[0-9]+\./!s/^/0~$(SOURCE_DATE_EPOCH)./; s/-([0-9]+)-g/+\1.g/; s/-/./g')
ARCHES = amd64 arm64
DIST = dist

.PHONY: help demo test quick bench torture mutants fuzz build packages release reproducible lint vuln

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## see it work: a simulated Cove, a mail server and the bridge, nothing to configure
	@echo 'Building covebridge: a minute or two the first time, seconds after that.'
	@go build -o covebridge ./cmd/covebridge & build=$$!; \
		while sleep 1; kill -0 $$build 2>/dev/null; do printf .; done; echo; wait $$build
	@exec ./covebridge demo

# Garbage is collected seldom, which is a tenth of the work.
test: export GOGC = 400
test: ## run all tests
ifeq ($(RACE),)
	go test -parallel 4 -timeout 45m $(TESTFLAGS) ./...
else
	@log=$$(mktemp); trap 'rm -f $$log' EXIT; \
	{ failed=0; go test -timeout 45m -run '$(WHOLE)' $(TESTFLAGS) $(WHOLE_IN) || failed=1; \
	go test -parallel 4 -timeout 45m $(TESTFLAGS) $(OUTSIDE) || failed=1; exit $$failed; } >$$log 2>&1 & plain=$$!; \
	failed=0; inside=$$(go list ./... $(OUTSIDE:.%=| grep -v '%$$')); \
	go test $(RACEFLAGS) -skip '$(BROWSER)' -parallel 4 -timeout 45m $(TESTFLAGS) $$inside || failed=1; \
	wait $$plain || failed=1; cat $$log; exit $$failed
endif

quick: ## run those that take less than a minute together: no real servers, no waiting
	go test -short $(TESTFLAGS) ./...

bench: ## measure speed and memory
	go test -run '^$$' -bench . -benchmem -timeout 60m ./...

torture: ## the long form of the tests that kill the program, cut its connections and hurt its mails
	COVEBRIDGE_TORTURE=1 go test -count 1 -timeout 6h -v -run Torture ./...

mutants: ## change the rules in small ways, and see that their tests notice (an hour)
	go run ./bridge/internal/mutants $(GREMLINS) bridge/backup bridge/deliver bridge/collect

fuzz: ## fuzz every decoder of outside bytes, each for FUZZTIME (30s)
	@set -e; for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "$$package $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 200x $$package; \
		done; \
	done

FRESH =
BUILD = $(FRESH) CGO_ENABLED=0 go build -trimpath -buildvcs=false \
	-ldflags '-s -w -X main.release=$(RELEASE) -X main.commit=$(COMMIT) -X main.committed=$(SOURCE_DATE_EPOCH)'

build: ## build ./covebridge, a static binary
	$(BUILD) -o covebridge ./cmd/covebridge

packages: ## make .deb and .rpm for ARCHES (amd64 arm64) in DIST (dist)
	rm -rf $(DIST)/assets $(DIST)/covebridge*
	go run -trimpath -tags assets ./cmd/covebridge $(DIST)/assets
	gzip -9n $(DIST)/assets/man/*
	@set -e; for arch in $(ARCHES); do \
		GOOS=linux GOARCH=$$arch $(BUILD) -o $(DIST)/linux-$$arch/covebridge ./cmd/covebridge; \
		for kind in deb rpm; do \
			ARCH=$$arch PACKAGE_VERSION=$(PACKAGE_VERSION) BINARY=$(DIST)/linux-$$arch/covebridge ASSETS=$(DIST)/assets \
				go run $(NFPM) package --config deploy/nfpm.yaml --packager $$kind --target $(DIST)/; \
		done; \
	done

release: packages ## make packages, programs, their SBOMs (CycloneDX) and checksums in DIST
	@set -e; for arch in $(ARCHES); do \
		name=$(DIST)/covebridge-$(RELEASE)-linux-$$arch; \
		cp $(DIST)/linux-$$arch/covebridge $$name; \
		go run $(CYCLONEDX) bin -json -std -noserial -notimestamp -version $(RELEASE) -output $$name.cdx.json $$name; \
	done
	cd $(DIST) && sha256sum covebridge* >SHA256SUMS

reproducible: ## make a release twice, in two folders, the second time with nothing compiled before, and compare
	@set -e; scratch=$$(mktemp -d); trap 'rm -rf $$scratch' EXIT; fresh=; \
	for folder in one the/other; do \
		mkdir -p $$scratch/$$folder; \
		tar -c --exclude=./.git --exclude=./dist . | tar -x -C $$scratch/$$folder; \
		$(MAKE) -C $$scratch/$$folder release DIST=dist FRESH=$$fresh ARCHES='$(ARCHES)' \
			RELEASE='$(RELEASE)' COMMIT='$(COMMIT)' SOURCE_DATE_EPOCH='$(SOURCE_DATE_EPOCH)'; \
		fresh=GOCACHE=$$scratch/cache; \
	done; \
	diff -r $$scratch/one/dist $$scratch/the/other/dist; \
	cat $$scratch/one/dist/SHA256SUMS; echo 'Both are the same.'

lint: ## check format, go vet, staticcheck, golangci-lint
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "not gofmt-ed:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go run $(STATICCHECK) ./...
	go run $(GOLANGCI) run

vuln: ## look for known vulnerabilities (asks vuln.go.dev)
	go run $(GOVULNCHECK) ./...
