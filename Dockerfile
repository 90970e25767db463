# Build: docker build --tag tflint .
# Run:   docker run --rm --volume "$PWD:/work" tflint check
# The tag of the base image can move. To pin its contents, add --build-arg PYTHON_IMAGE=python@sha256:DIGEST
ARG PYTHON_IMAGE=python:3.12-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
COPY . /source
RUN bash /source/.ci/install-pinned python3 /opt/tflint

FROM ${PYTHON_IMAGE}
ARG REVISION=""
LABEL org.opencontainers.image.title="tflite-lint" \
      org.opencontainers.image.description="A static linter for TensorFlow Lite models: quantization, data types, structure, metadata and runtime support, from the file's bytes." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.vendor="the tflint authors" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/tflint /opt/tflint
ENV PATH=/opt/tflint/bin:$PATH
WORKDIR /work
USER 10001:10001
ENTRYPOINT ["tflint"]
