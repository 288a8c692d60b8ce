# The image of every workload. Copilot passes the folder: image.build.args.WORKLOAD in its manifest.
# The digest is that of the tag's index as public Dockerfiles pin it; it was never asked of a registry from here. To move on:
#   docker buildx imagetools inspect node:24.21.0-trixie-slim
ARG BASE=node:24.21.0-trixie-slim@sha256:173f125896c3b47ddf056734c7ea789d04595a6a08769a8f78e0df642781fb66
FROM ${BASE} AS build
WORKDIR /noren
ENV CI=true
# The store first: it changes only with the lockfile, and every image shares it.
COPY pnpm-lock.yaml pnpm-workspace.yaml ./
RUN npx --yes pnpm@12 fetch
COPY . .
RUN npx --yes pnpm@12 install --frozen-lockfile --prefer-offline
ARG WORKLOAD
RUN node bundle.mjs "$WORKLOAD" /app

FROM ${BASE}
ENV NODE_ENV=production NODE_OPTIONS=--enable-source-maps NODE_EXTRA_CA_CERTS=/app/rds-ca.pem
WORKDIR /app
COPY --from=build /app .
USER 1000:1000
# Node itself is process 1, so it receives SIGTERM. Health checks are Copilot's (the manifest), not this file's.
CMD ["node", "main.mjs"]
