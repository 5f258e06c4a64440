/** The server process: reads the configuration, builds the application, listens, and stops gracefully. */
import { createApp } from './app.ts';
import { ConfigError, loadConfig } from './config.ts';
import { DatabaseInUseError } from './db/embedded.ts';
import { NewerDatabaseError } from './db/migrate.ts';
import { welcome } from './pages/welcome.ts';

try {
  const config = loadConfig();
  const app = await createApp(config, { migrate: !process.argv.includes('--no-migrate') });
  await app.server.listen({ port: config.port, host: config.host ?? '::' });
  if (process.stdout.isTTY || app.quickstart) console.log(welcome(config, app.quickstart));

  const stop = async (signal: string) => {
    app.infrastructure.log.info({ signal }, 'stopping');
    await app.close();
    process.exit(0);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
} catch (error) {
  const plain = error instanceof ConfigError || error instanceof DatabaseInUseError || error instanceof NewerDatabaseError;
  console.error(plain || (error as NodeJS.ErrnoException).code === 'EADDRINUSE' ? (error as Error).message : error);
  process.exit(1);
}
