# Each target is one command of tools/, which sets up what the command needs first.
#   make up STACK=local          the stack to work on
#   make test ARGS='-k drift'    more arguments for the program behind the command
PYTHON ?= python3
STACK ?=
ARGS ?=
COMMANDS := up preview status destroy validate test lint bench setup shell-env

.PHONY: help $(COMMANDS)
.DEFAULT_GOAL := help

help:
	@$(PYTHON) -m tools --help

$(COMMANDS):
	@$(PYTHON) -m tools $@ --stack '$(STACK)' $(ARGS)
