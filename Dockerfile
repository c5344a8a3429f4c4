FROM node:22.14.0-alpine AS build
WORKDIR /tocsin
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:22.14.0-alpine
WORKDIR /tocsin
COPY --from=build /tocsin/package.json ./
COPY --from=build /tocsin/node_modules ./node_modules
COPY --from=build /tocsin/dist ./dist
COPY --from=build /tocsin/templates ./templates
COPY --from=build /tocsin/routing ./routing
RUN mkdir -m 700 data && chown node:node data
USER node
EXPOSE 9093
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["node", "-e", "fetch('http://127.0.0.1:9093/-/healthy').then((a) => process.exit(a.ok ? 0 : 1), () => process.exit(1))"]
# nothing of it makes code of texts, and nothing shall
CMD ["node", "--enable-source-maps", "--disallow-code-generation-from-strings", "--max-semi-space-size=32", "dist/cli.js", "serve"]
