# The course in a container: the book, the exercises, JupyterLab.
#
#   docker build -t layer-by-layer .
#   docker run --rm -p 8888:8888 -v layer-by-layer-work:/home/learner/course/work layer-by-layer
#
# The first takes about half an hour. The second prints the address of JupyterLab; what you write in
# work/ stays in the volume. The book alone, at http://127.0.0.1:8000:
#
#   docker run --rm -p 8000:8000 layer-by-layer .venv/bin/course serve --host 0.0.0.0
#
# Grading other people's work needs a sandbox, for which Docker has to allow user namespaces:
# --security-opt seccomp=unconfined --security-opt apparmor=unconfined
# --security-opt systempaths=unconfined. Without them, `course grade` says so, and `course check` on
# your own work goes on.
FROM python:3.11-slim-bookworm

RUN apt-get update \
    && apt-get install -y --no-install-recommends git make nodejs npm \
    && rm -rf /var/lib/apt/lists/*

RUN useradd --create-home learner
USER learner
WORKDIR /home/learner/course
COPY --chown=learner:learner . .

# Without the other frameworks, which are 2 GB more: their chapters show outputs that are kept.
RUN make course LIGHT=1 TORCH=cpu && mkdir -p work

# From outside of the container, JupyterLab is another machine's.
RUN mkdir -p /home/learner/.jupyter \
    && echo '{"ServerApp": {"ip": "0.0.0.0"}}' > /home/learner/.jupyter/jupyter_server_config.json

EXPOSE 8000 8888
CMD [".venv/bin/course", "lab", "--no-browser", "--port", "8888"]
