# Each target is one command of tools/, which sets up what the command needs first.
#   make up STACK=local          the stack to work on
#   make test ARGS='-k drift'    more arguments for the program behind the command
#   make explore MINUTES=5       how long
PYTHON ?= python3
STACK ?=
ARGS ?=
MINUTES ?=
COMMANDS := up preview status drift metrics monitoring smoke destroy validate test test-fast explore coverage lint docs lock bench setup shell-env

# Handed over in the environment, as they were written: neither make nor a shell is to read what is in them.
export TOOLS_STACK := $(value STACK)
export TOOLS_ARGS := $(value ARGS)
export TOOLS_MINUTES := $(value MINUTES)
unexport STACK ARGS MINUTES MAKEFLAGS MFLAGS MAKEOVERRIDES
# With `make -f` the checkout is elsewhere. The list is this one file, maybe after a space; its path may have more of them.
export TOOLS_MAKEFILE := $(MAKEFILE_LIST)
CHECKOUT = "$$(dirname -- "$${TOOLS_MAKEFILE\# }")"

.PHONY: help $(COMMANDS)
.DEFAULT_GOAL := help

help:
	@cd $(CHECKOUT) && $(PYTHON) -m tools --help

$(COMMANDS):
	@cd $(CHECKOUT) && $(PYTHON) -m tools $@
