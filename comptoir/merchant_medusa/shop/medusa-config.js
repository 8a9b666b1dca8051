// A Medusa shop without dashboard: REST only, on 127.0.0.1. What Medusa does by itself is left as
// it is. Everything that differs from one start to the next comes from the environment.
const { defineConfig } = require('@medusajs/framework/utils');

if (process.env.SHOP_SERVES) {
  // Whoever started the shop holds its standard input: it never outlives them.
  process.stdin.on('end', () => process.exit(0)).resume();
}

module.exports = defineConfig({
  admin: { disable: true },
  projectConfig: {
    databaseUrl: process.env.DATABASE_URL,
    databaseDriverOptions: { connection: { ssl: false } },
    http: {
      storeCors: 'http://127.0.0.1',
      adminCors: 'http://127.0.0.1',
      authCors: 'http://127.0.0.1',
      jwtSecret: process.env.SHOP_SECRET,
      cookieSecret: process.env.SHOP_SECRET,
    },
  },
});
