import { defineConfig } from 'prisma/config';

// `prisma generate` only checks that this file exists, and never runs it: see docs/decisions/prisma-without-downloads.md.
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath;

export default defineConfig({ schema: 'prisma' });
