// A Vendure shop in memory: French prices with VAT, an administrator, and the account by which a
// comparator orders. What Vendure does by itself is left as it is: the only custom field is the
// reference of an order, and it is unique.
//
// SHOP_PORT: where to listen on 127.0.0.1. SHOP_ACCOUNTS: JSON file with the two accounts.
const { readFileSync } = require('node:fs');
const core = require('@vendure/core');
const { populate } = require('@vendure/core/cli');
const { deliveredCountries, tariff } = require('./tariff');

// Whoever started the shop holds its standard input: it never outlives them.
process.stdin.on('end', () => process.exit(0)).resume();

const accounts = JSON.parse(readFileSync(process.env.SHOP_ACCOUNTS, 'utf8'));

// No more than the connector needs: the suite that passes with them says so.
const PLATFORM_MAY = [
  'ReadProduct', 'CreateOrder', 'ReadOrder', 'UpdateOrder', 'DeleteOrder', 'ReadCustomer',
];

const config = {
  apiOptions: { hostname: '127.0.0.1', port: Number(process.env.SHOP_PORT), cors: { origin: false } },
  authOptions: {
    tokenMethod: 'bearer',
    superadminCredentials: {
      identifier: accounts.admin.username,
      password: accounts.admin.password,
    },
  },
  dbConnectionOptions: { type: 'sqljs', synchronize: true, logging: false },
  logger: new core.DefaultLogger({ level: core.LogLevel.Error }),
  customFields: {
    Order: [{ name: 'externalRef', type: 'string', nullable: true, unique: true, public: false }],
    ProductVariant: [{ name: 'gtin', type: 'string', nullable: true }],
  },
  shippingOptions: {
    shippingEligibilityCheckers: [deliveredCountries],
    shippingCalculators: [tariff],
  },
};

const initialData = {
  defaultLanguage: core.LanguageCode.fr,
  defaultZone: 'Europe',
  countries: [
    { code: 'FR', name: 'France', zone: 'Europe' },
    { code: 'DE', name: 'Allemagne', zone: 'Europe' },
  ],
  taxRates: [{ name: 'TVA', percentage: 20 }],
  shippingMethods: [],
  paymentMethods: [],
  collections: [],
  roles: [
    { code: 'comparator', description: 'Orders of a comparator', permissions: PLATFORM_MAY },
  ],
};

const argument = (name, value) => ({ name, value: JSON.stringify(value) });

async function administratorContext(app) {
  const connection = app.get(core.TransactionalConnection);
  const user = await connection.rawConnection.getRepository(core.User).findOneOrFail({
    where: { identifier: accounts.admin.username },
    relations: ['roles', 'roles.channels'],
  });
  return app.get(core.RequestContextService).create({ apiType: 'admin', user });
}

async function furnish(app) {
  const ctx = await administratorContext(app);
  await app.get(core.ShippingMethodService).create(ctx, {
    code: 'standard',
    fulfillmentHandler: 'manual-fulfillment',
    checker: { code: 'delivered-countries', arguments: [argument('countries', ['FR'])] },
    calculator: {
      code: 'tariff',
      arguments: [
        argument('price', 490), argument('taxRate', 20),
        argument('daysMin', 2), argument('daysMax', 4),
      ],
    },
    translations: [
      { languageCode: core.LanguageCode.fr, name: 'Livraison à domicile', description: '' },
    ],
  });
  const roles = await app.get(core.RoleService).findAll(ctx);
  await app.get(core.AdministratorService).create(ctx, {
    firstName: 'Comptoir',
    lastName: 'Commandes',
    emailAddress: accounts.platform.username,
    password: accounts.platform.password,
    roleIds: [roles.items.find((role) => role.code === 'comparator').id],
  });
}

async function bootstrap() {
  const app = await core.bootstrap(config);
  const ctx = await app.get(core.RequestContextService).create({ apiType: 'admin' });
  const channels = app.get(core.ChannelService);
  const channel = await channels.getDefaultChannel();
  // Before anything has a price: Vendure sells in dollars and without tax unless it is told.
  await channels.update(ctx, {
    id: channel.id,
    pricesIncludeTax: true,
    defaultCurrencyCode: 'EUR',
    availableCurrencyCodes: ['EUR'],
  });
  return app;
}

populate(bootstrap, initialData)
  .then(furnish)
  .catch((error) => {
    console.error(error);
    process.exit(1);
  });
