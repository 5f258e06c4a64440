FROM node:24-slim
WORKDIR /app
COPY . .
RUN npm ci --omit=dev && npm cache clean --force && mkdir data && chown node data
USER node
ENV NODE_ENV=production
VOLUME /app/data
EXPOSE 3000
CMD ["node", "--disable-warning=ExperimentalWarning", "--max-semi-space-size=8", "--heap-growing-percent=30", "--invocation-count-for-turbofan=400", "src/main.ts"]
