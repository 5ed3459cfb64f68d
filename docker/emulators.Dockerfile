# The emulators of all providers, for demos and tests: no part of the service's image.
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY src ./src
USER 1000:1000
EXPOSE 8081
# Any answer will do.
HEALTHCHECK --interval=2s --timeout=3s --start-period=10s --retries=5 \
  CMD ["node", "-e", "require('node:http').get('http://127.0.0.1:8081/', () => process.exit(0)).on('error', () => process.exit(1))"]
CMD ["node", "src/emulators/main.ts", "--host", "0.0.0.0", "--port", "8081"]
