# make build      the programs, into bin/
# make test       unit and end-to-end tests (the latter need root); installs nothing
# make test-soak  the robustness tests in their long form: 2000 runs, 500 containers alive
# make test-engines  under dockerd, podman and containerd, which must be installed
# make test-dhowd  command lines typed at a real dhowd
# make test-cri   pods as a kubelet makes them, with our shim and with containerd's and runc
# make test-critest  cri-tools' critest, with containerd's shim and with ours
# make test-containerd  containerd's own tests of its client, with its shim and with ours
# make test-vm    the tests where control groups of version 2 limit: in a virtual machine (integration/README.md)
# make test-vm-quick  only those that cannot run elsewhere
# make check      formatting, vet, staticcheck, the project's own lint rules, module lists
# make bench      times beside runc and crun, and the budgets they must keep
# make bench-shim  the shim beside containerd-shim-runc-v2 with runc, under Debian's containerd
# make bench-engine  dhowd beside dockerd, driven by the docker CLI
# make test-bats  runc's own integration tests from RUNC_SRC, with runc and with ours
# make fuzz       every fuzz target for FUZZTIME
# make demo       from nothing to a running container, each command shown
# make deps       what Debian has to give: compilers, libseccomp, peers
# make clean
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build
.PHONY: build seccomp-compile runtime-failpoint test test-soak test-engines test-dhowd test-cri test-critest test-containerd test-bats test-vm test-vm-quick vm check gofmt vet staticcheck lint bench bench-shim bench-engine fuzz demo deps missing clean

GO ?= go
FUZZTIME ?= 10s
TESTFLAGS ?=
# How many failed tests `make test` runs once more, each alone. One that then passes is named in the last line.
AGAIN ?= 0
RELEASE := github.com/dhow-containers/dhow/higher/release
# Of the commit, and of the moment. Expanded when used: it runs git.
RELEASED = -X $(RELEASE).commit=$$(git rev-parse --short HEAD 2>/dev/null || echo unknown) -X $(RELEASE).built=$$(date -u +%Y-%m-%dT%H:%M:%SZ)
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

# Debian packages that building and testing use.
PACKAGES := gcc libc6-dev pkg-config libseccomp-dev busybox-static debootstrap runc crun containerd containernetworking-plugins tmux qemu-system-x86 e2fsprogs uidmap docker-registry docker-compose python3-docker

build: seccomp-compile
	CGO_ENABLED=0 $(GO) build -trimpath -tags embedseccomp -ldflags '-s -w' -o bin/runtime ./runtime/cmd/runtime
	CGO_ENABLED=0 $(GO) build -trimpath -tags embedseccomp -ldflags '-s -w' -o bin/containerd-shim-dhow-v2 ./shim/cmd/containerd-shim-dhow-v2
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w $(RELEASED)" -o bin/ ./higher/cmd/dhow ./higher/cmd/dhowd
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o bin/ ./higher/cmd/dhow-init

# The one part in C: a static program that compiles seccomp profiles with libseccomp. The runtime, which is
# pure Go and so starts 0.9 ms sooner, carries it as an embedded file and runs it when its cache misses.
seccomp-compile:
	CGO_ENABLED=1 $(GO) generate -tags embedseccomp ./runtime/seccomp

# The runtime that kills itself where it is told to (integration/sweep_test.go).
OUT ?= bin/runtime-failpoint
runtime-failpoint: seccomp-compile
	CGO_ENABLED=0 $(GO) build -trimpath -tags embedseccomp,failpoint -ldflags '-s -w' -o '$(OUT)' ./runtime/cmd/runtime

test: missing build
	$(GO) build -o bin/testcount ./integration/testcount
	bin/testcount -again $(AGAIN) '$(GO) test -json -count=1 -timeout 20m $(TESTFLAGS) ./...' \
	  '$(GO) test -json -count=1 -tags embedseccomp $(TESTFLAGS) ./runtime/seccomp' \
	  '$(GO) test -C integration/containerd2 -json -count=1 -timeout 10m $(TESTFLAGS) ./...'

test-soak: missing build
	$(GO) build -o bin/testcount ./integration/testcount
	DHOW_TEST_SOAK=1 $(GO) test -json -count=1 -timeout 40m -run '^Test(ManyRuns|FailedCreates|Concurrent|CreatesAgainst|ManyContainers|ShimManyContainers|FullDisk|ForkBomb|LibraryKeeps|Kill)' ./integration ./integration/engine | bin/testcount

# As root, with Debian's packages docker.io, podman, conmon and containerd.
test-engines: missing build
	$(GO) build -o bin/testcount ./integration/testcount
	DHOW_TEST_ENGINES=1 $(GO) test -json -count=1 -timeout 10m -run '^Test(Shim)?Under(Docker|Podman|Containerd)$$' ./integration | bin/testcount

# As root.
test-dhowd: missing build
	$(GO) build -o bin/testcount ./integration/testcount
	$(GO) test -json -count=1 -timeout 15m $(TESTFLAGS) ./integration/engine | bin/testcount

# As root.
test-cri: missing build
	$(GO) build -o bin/testcount ./integration/testcount
	DHOW_TEST_PEER=1 $(GO) test -C integration/containerd2 -json -count=1 -timeout 10m $(TESTFLAGS) ./cri | bin/testcount

# As root; takes half an hour. CRITEST: only specs with such names.
CRITEST ?=
test-critest: missing build
	$(GO) build -o bin/testcount ./integration/testcount
	DHOW_TEST_CRITEST='$(CRITEST)' $(GO) test -C integration/containerd2/critest -json -count=1 -timeout 60m . | bin/testcount

# As root; takes a while. SUITE: only tests with such names.
SUITE ?= 1
test-containerd: missing build
	$(GO) build -o bin/testcount ./integration/testcount
	DHOW_TEST_SUITE='$(SUITE)' $(GO) test -C integration/containerd2 -json -count=1 -timeout 40m ./suite | bin/testcount

# As root. Debian packages beside those above: bats jq gawk make gcc libseccomp-dev uidmap iproute2 sshfs.
test-bats: build
	@[ -n '$(RUNC_SRC)' ] || { echo 'make test-bats RUNC_SRC=DIR: DIR is a source tree of runc'; exit 2; }
	$(GO) run ./integration/peersuite -src '$(RUNC_SRC)' -ours bin/runtime $(BATSFLAGS)

# VM=plain or systemd: one of the machines only. RUN, SKIP: tests, PKG: packages with commas, EXEC: a shell command
# instead of tests, VMUSER: root, tester or both with a comma (systemd).
VM ?=
RUN ?=
SKIP ?=
PKG ?=
EXEC ?=
VMUSER ?= root
VMFLAGS ?=
export RUN SKIP PKG EXEC

test-vm: vm
ifneq ($(VM)$(RUN)$(PKG)$(EXEC),)
	bin/vm -system '$(or $(VM),plain)' -user '$(VMUSER)' -run "$$RUN" -skip "$$SKIP" -pkg "$$PKG" -exec "$$EXEC" $(VMFLAGS) | bin/testcount
else
	{ plain=0; systemd=0; \
	  bin/vm $(VMFLAGS) || plain=$$?; \
	  [ $$plain -ne 130 ] || exit 130; \
	  bin/vm -system systemd -user root,tester -pkg ./integration,./integration/engine -run '^Test(Systemd|Rootless)' -run-user '^TestVMUser' $(VMFLAGS) || systemd=$$?; \
	  exit $$((plain + systemd)); } | bin/testcount
endif

test-vm-quick: vm
	bin/vm -pkg ./integration,./runtime/cgroup,./integration/engine -run '^Test(VM|AppArmor|Unified(Delegation|Events|Rootless|Update)|Host)' -skip '^TestVMEngine(Cgroups|Killed|Network)$$' -timeout 10m $(VMFLAGS) | bin/testcount

vm: missing
	$(GO) build -o bin/ ./integration/vm ./integration/testcount

check: gofmt vet staticcheck lint

gofmt:
	@bad=$$(gofmt -l runtime shim higher spec integration 2>/dev/null || true); [ -z "$$bad" ] || { printf 'not gofmt-ed:\n%s\n' "$$bad"; exit 1; }

vet: seccomp-compile
	$(GO) vet ./...
	$(GO) vet -tags embedseccomp,failpoint ./runtime/...
	$(GO) vet -C integration/containerd2 ./...

# A tool, not a dependency: it stays out of go.mod and comes from the module cache or the proxy. SA1019 is
# off because a runtime has to honour what the runtime spec deprecates (prestart hooks, kernel memory).
staticcheck: seccomp-compile
	@if $(GO) run $(STATICCHECK) -version > /dev/null 2>&1; then \
		$(GO) run $(STATICCHECK) -checks 'inherit,-SA1019' ./... && \
		cd integration/containerd2 && $(GO) run $(STATICCHECK) -checks 'inherit,-SA1019' ./...; \
	else echo 'staticcheck skipped: it is neither in the module cache nor to be had from the proxy'; fi

lint: build
	$(GO) test -count=1 -run '^(TestLint|TestImports|TestModules|TestPackages|TestRuntimeIsStatic|TestTopLevel)' ./integration

bench: build
	$(GO) run ./integration/bench $(BENCHFLAGS)

bench-shim: build
	$(GO) run ./integration/benchshim $(BENCHFLAGS)

bench-engine: build
	$(GO) run ./integration/benchengine $(BENCHFLAGS)

fuzz: seccomp-compile
	@for package in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "$$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package; \
		done; \
	done

demo:
	@integration/demo.sh

deps:
	apt-get update
	DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $(PACKAGES)

# Says what is not there, and goes on: tests that need it skip, or fail with the reason.
missing:
	@for package in $(PACKAGES); do \
		dpkg-query --show --showformat='$${db:Status-Status}' $$package 2>/dev/null | grep -q '^installed$$' \
			|| echo "missing: Debian package $$package (make deps installs it)"; \
	done

clean:
	rm -rf bin runtime/seccomp/seccomp-compile.bin runtime/seccomp/seccomp-compile.id
