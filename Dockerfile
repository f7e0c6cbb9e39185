# The server as an image: `docker build -t rentapi .`. docs/runbooks/container.md says how it is run.
FROM node:24-bookworm-slim AS build
WORKDIR /source
COPY . .
RUN npm run build

FROM node:24-bookworm-slim
COPY --from=build /source/dist /app
# People's pictures and captured mail are all that is ever written here. A user without a name has no home, no shell and no group of others.
RUN install -d -o 10001 -g 10001 /data
WORKDIR /data
USER 10001:10001
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8000 DATA_DIR=/data
EXPOSE 8000
STOPSIGNAL SIGTERM
# A worker answers on WORKER_PORT, where it has one.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.WORKER_PORT || process.env.PORT}/health/readiness`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# V8 would let what is young grow to 128 MB while a large report is made.
ENTRYPOINT ["node", "--max-semi-space-size=16", "/app/rentapi.mjs"]
CMD ["start"]
