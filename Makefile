# Limn's daily commands. `make` alone lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help deps build test demo bench fuzz format lint docs install clean

PREFIX ?= /usr/local
DEPS := $(or $(LIMN_DEPS),.deps)
LIBRARIES := LimnTorch LimnImaging LimnDatasets LimnBackbones LimnMetrics LimnTraining LimnSegmentation LimnTranslation LimnSynthesis

# Swift with libtorch's place in the environment; the run path of an installed limn comes first.
SWIFT = source $(DEPS)/env && swift
LINK = -Xlinker -rpath -Xlinker '$$ORIGIN/../lib/limn/torch/lib' $$LIMN_LINK
# lld, since the default linker warns about the static Foundation's own code.
RELEASE = -c release --static-swift-stdlib -Xswiftc -use-ld=lld $(LINK)

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## install the Debian packages that are missing, find or fetch libtorch (LIBTORCH=FOLDER to choose)
	@scripts/deps

build: deps ## the limn command, optimised: .build/release/limn
	@$(SWIFT) build $(RELEASE) --product limn

test: deps ## build and run every test, and the example that uses Limn as a library
	@$(SWIFT) build --build-tests $(LINK)
	@$(SWIFT) run --package-path Examples/Quickstart $(LINK) Quickstart
	@# Tests run side by side, so each gets one of libtorch's threads.
	@export OMP_NUM_THREADS=1; $(SWIFT) test --skip-build --disable-xctest $(LINK)

demo: build ## real scans in, synthetic images out: prints the path of one page (under 15 minutes on 2 cores)
	@scripts/demo

bench: deps ## time Limn against eager PyTorch on the same libtorch
	@$(SWIFT) build $(RELEASE) --product limn-bench
	@Benchmarks/run

# AddressSanitizer watches our code; the codecs themselves are not built with it.
FUZZ_BUILD = $(if $(SANITIZE),--sanitize=$(SANITIZE) --scratch-path .build-$(SANITIZE) $(LINK),$(RELEASE))
fuzz: deps ## damaged files for every reader (COUNT=100000, SEED=1, CORPUS="FOLDERS", SANITIZE=address)
	@$(SWIFT) build $(FUZZ_BUILD) --product limn-fuzz
	@# The parent ends with processes and files in use, which is no leak.
	@ASAN_OPTIONS=detect_leaks=0 $(if $(SANITIZE),.build-$(SANITIZE)/debug,.build/release)/limn-fuzz --count $(or $(COUNT),100000) \
	  --seed $(or $(SEED),1) Tests/Fixtures $(CORPUS)

format: ## swift-format every source in place
	@swift format --in-place --parallel --recursive Package.swift Sources Tests Benchmarks Fuzz Examples

lint: ## swift-format's complaints, as errors
	@swift format lint --strict --parallel --recursive Package.swift Sources Tests Benchmarks Fuzz Examples

docs: deps ## the libraries' documentation, warnings as errors: .build/docs
	@mkdir -p .build/docs
	@$(SWIFT) package --allow-writing-to-directory .build/docs generate-documentation \
	  $(addprefix --target ,$(LIBRARIES)) --enable-experimental-combined-documentation \
	  --warnings-as-errors --output-path .build/docs

install: build ## put limn under PREFIX (default /usr/local), with libtorch if it was fetched
	@install -D .build/release/limn $(DESTDIR)$(PREFIX)/bin/limn
	@if [ -d $(DEPS)/libtorch ] && grep -q "fetched wheel" $(DEPS)/stamp; then \
	  mkdir -p $(DESTDIR)$(PREFIX)/lib/limn/torch; \
	  cp -a $(DEPS)/libtorch/torch/lib $(DESTDIR)$(PREFIX)/lib/limn/torch/; \
	  cp -a $(DEPS)/libtorch/nvidia $(DESTDIR)$(PREFIX)/lib/limn/; \
	fi
	@if [ -d $(DEPS)/weights ]; then \
	  mkdir -p $(DESTDIR)$(PREFIX)/share/limn; \
	  cp -a $(DEPS)/weights $(DESTDIR)$(PREFIX)/share/limn/; \
	fi
	@echo "installed $(DESTDIR)$(PREFIX)/bin/limn"

clean: ## remove what was built; what was fetched stays in .deps
	@rm -rf .build .build-address fuzz-findings Examples/Quickstart/.build
