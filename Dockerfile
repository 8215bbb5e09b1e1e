# The monolith: all modules and the gateway. The same image with MODULES=none is the gateway alone.
FROM node:24-slim
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY scripts ./scripts
COPY prisma ./prisma
RUN node scripts/setup.mjs --production
COPY bin ./bin
COPY src ./src
COPY compare ./compare
COPY pipeline ./pipeline
COPY stage ./stage
COPY extracted ./extracted
RUN mkdir -p /var/lib/banyan/media /var/lib/banyan/data && chown -R node:node /var/lib/banyan
USER node
ENV NODE_ENV=production DATA_DIR=/var/lib/banyan/data HOST=0.0.0.0 PORT=3000 INTERNAL_PORT=4000
EXPOSE 3000 4000
CMD ["node", "--import", "./src/banyan/compile-cache.mjs", "src/main.ts"]
