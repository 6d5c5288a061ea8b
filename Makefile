# For the habits of people: each target is one command of scripts/, which also work without make.
.DEFAULT_GOAL := help
.PHONY: help build demo test cluster bench check fmt coverage run
ARGS ?= --help

help:      ## this list
	@sed -n 's/^\([a-z]*\): *## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

build:     ## programs in build/release/bin
	scripts/build

demo:      ## policies side by side on demand traces; ends with the path of the report
	scripts/demo

test:      ## every test; ends with the counts
	scripts/test

cluster:   ## the suites that want a real Kubernetes
	scripts/test-cluster

bench:     ## the table of speed and memory, with peers
	scripts/bench

check:     ## format, clang-tidy, shellcheck and the examples of the docs
	scripts/check

fmt:       ## clang-format over all sources
	scripts/check --fix format

coverage:  ## line coverage of the tests, as a page
	scripts/coverage

run:       ## the program: make run ARGS="trace generate --scenario spike --out /tmp/spike.csv"
	scripts/build release mpc-autoscaler
	build/release/bin/mpc-autoscaler $(ARGS)
