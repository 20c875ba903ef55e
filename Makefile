# make paint PROMPT="a red lighthouse by the sea at sunset" [SYSTEM=… SEED=… SIZE=… STEPS=… any KNOB=…]
# make app [HOST=… PORT=…] | lab | test | nightly (50 kills, 20000 hostile cases, Colab's Pythons) | notebooks [NAME=…]
# make zoo [NAME=… MINUTES=… DEVICE=…] | quality [SYSTEM=… WORKERS=…] | bench [CASE=… ROUNDS=… FRESH=1] | env

VENV ?= .venv
RUN := $(VENV)/bin/python
SUITABLE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))
PYTHON ?= $(shell for p in python3.11 python3.12 python3; do \
	"$$p" -c '$(SUITABLE)' 2>/dev/null && { echo "$$p"; break; }; done)

# Every variable given on the command line except these becomes a flag: CROPS=16 is --crops 16. Make hands
# the values to the shell through the environment, so quotes and bars in a prompt need no escaping.
OURS := PYTHON PYTHONS VENV NAME
GIVEN := $(foreach v,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(v)))),$(v)))
$(foreach v,$(GIVEN),$(eval override export $(v) := $$(value $(v))))
flag = --$(shell printf '%s' '$(1)' | tr 'A-Z_' 'a-z-') "$$$(1)"
FLAGS = $(foreach v,$(sort $(filter-out $(OURS),$(GIVEN))),$(call flag,$(v)))

.PHONY: help paint app test nightly pythons browser lab notebooks zoo quality bench env
.DEFAULT_GOAL := help

help:
	@sed -n '1,3s/^# //p' Makefile

paint: $(VENV)/.painting
	@$(RUN) -m helpers paint $(FLAGS)

app: $(VENV)/.tools
	@$(RUN) -m helpers.app $(FLAGS)

# A file of tests or a notebook at a time for each core, at most four: a worker takes up to 3 GB.
CORES = $(shell n=$$(getconf _NPROCESSORS_ONLN); echo $$((n < 4 ? n : 4)))
PYTEST = OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(RUN) -m pytest -n $(CORES) --dist loadfile --no-loadscope-reorder

test: $(VENV)/.tools browser
	$(RUN) -m ruff check .
	$(PYTEST) tests
	REHEARSAL=1 DISCOTHEQUE_RUNS=$$(mktemp -d) $(PYTEST) -p tests.kernels --nbval-lax --nbval-current-env --nbval-cell-timeout=300 notebooks

# The tests look at the panel in a browser of this system; where there is none, Debian's is installed, if that
# may be done. Without one they say so and go on.
browser:
	@for b in chromium chromium-browser google-chrome google-chrome-stable microsoft-edge; do \
	  command -v $$b > /dev/null && exit 0; done; \
	test "$$(id -u)" = 0 && command -v apt-get > /dev/null && apt-get update -q && apt-get install -q -y chromium || \
	echo "No browser is here: the panel is not tested in one. On Debian: sudo apt install chromium"

# What `make test` does of this in small: painters killed at random moments, files and words that mean ill, Colab,
# and the panel once more on Colab's ipywidgets.
nightly: $(VENV)/.tools pythons
	KILLS=50 CASES=20000 $(PYTEST) tests/test_faults.py tests/test_hostile.py tests/test_colab.py
	PYTHONPATH=$(VENV)/colab $(PYTEST) $(WIDGETS)

WIDGETS = $(addprefix tests/test_,panel.py gallery_view.py compare_view.py editors.py cropping.py)

# Colab goes from Python to Python. Each of these that is found, by name or with pyenv, gets an environment beside
# ours, and the tests of Colab run there, too.
PYTHONS ?= 3.11 3.12
pythons: $(VENV)/.tools
	@for v in $(PYTHONS); do \
	  for p in $(RUN) python$$v "$$(pyenv root 2>/dev/null)"/versions/$$v.*/bin/python none; do \
	    test $$p = none && echo "Python $$v is not here: Colab is not simulated on it" && break; \
	    "$$p" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$$v')" 2>/dev/null || continue; \
	    test $$p = $(RUN) || $(MAKE) VENV=$(VENV)-$$v PYTHON="$$p" env || exit 1; \
	    break; \
	  done; \
	done

lab: $(VENV)/.tools
	$(RUN) -m jupyterlab notebooks

notebooks: $(VENV)/.tools
	$(RUN) -m helpers.press $(NAME)

# glibc gives large blocks back at once and fetches them anew: two thirds of the time of a training step.
KEEPING = MALLOC_MMAP_THRESHOLD_=8589934592 MALLOC_TRIM_THRESHOLD_=17179869184

zoo: $(VENV)/.tools
	$(KEEPING) $(RUN) -m helpers.world.train $(or $(NAME),all) $(FLAGS)

quality: OURS += SYSTEM
quality: $(VENV)/.tools
	$(RUN) -m helpers.world.quality $(SYSTEM) $(FLAGS)

bench: OURS += CASE FRESH
bench: $(VENV)/.tools
	$(RUN) -m benchmarks $(CASE) $(if $(FRESH),--fresh) $(FLAGS)

env: $(VENV)/.tools

# The environment: made once, installed again only when a requirement changes.
$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "Discotheque needs Python 3.11 or 3.12, and none was found;"; \
	  echo "install one (Debian: sudo apt install python3 python3-venv) or name it: make PYTHON=/path/to/python"; exit 1; }
	@"$(PYTHON)" -c '$(SUITABLE)' || { echo "$(PYTHON) is not a Python 3.11 or 3.12;"; \
	  echo "name another one: make PYTHON=/path/to/python3.11"; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make environments: its venv package is missing;"; \
	  echo "on Debian: sudo apt install python3-venv, then the same make again"; exit 1; }
	"$(PYTHON)" -m venv --clear $(VENV)
	@touch $@

INSTALL = $(RUN) -m pip install --disable-pip-version-check --constraint constraints.txt

$(VENV)/.painting: requirements.txt constraints.txt $(VENV)/.made
	@echo "Installing what painting needs: once, a few minutes."
	$(INSTALL) --requirement requirements.txt
	@touch $@

# What Colab has in place of ours, in a folder of its own: tests put it first, with a stand-in of google.colab.
COLAB = ipywidgets==7.7.1 ipython_genutils==0.2.0

$(VENV)/.tools: requirements-dev.txt $(VENV)/.painting
	$(INSTALL) --requirement requirements-dev.txt
	$(INSTALL) --no-deps pytorch-pretrained-biggan
	$(RUN) -m pip install --disable-pip-version-check --target $(VENV)/colab --upgrade --no-deps $(COLAB)
	@touch $@
