/** The server process: reads the configuration, builds the application, listens, and stops gracefully. */
import { createApp, isOperatorError } from './app.ts';
import { loadConfig, readEnvFile } from './config.ts';
import { welcome } from './pages/welcome.ts';

try {
  readEnvFile();
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
  const { syscall, message } = error as NodeJS.ErrnoException;
  if (syscall === 'listen' || syscall === 'getaddrinfo') console.error(`${message}. PORT and HOST say where to listen.`);
  else console.error(isOperatorError(error) ? message : error);
  process.exit(1);
}
