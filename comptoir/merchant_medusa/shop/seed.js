// What a Medusa shop needs before its first article: one channel, one region with French VAT in the
// prices, one stock location, delivery to France, and the keys by which orders come.
// Writes the keys to the JSON file named by SHOP_ACCOUNTS. Run by `medusa exec`, once.
const { writeFileSync } = require('node:fs');
const { ContainerRegistrationKeys, Modules } = require('@medusajs/framework/utils');
const flows = require('@medusajs/core-flows');

const COUNTRIES = ['fr', 'de'];

async function first(workflow, container, input) {
  const { result } = await workflow(container).run({ input });
  return Array.isArray(result) ? result[0] : result;
}

async function channelWithKeys(container) {
  const channel = await first(flows.createSalesChannelsWorkflow, container, {
    salesChannelsData: [{ name: 'Comparateur' }],
  });
  const key = (title, type) => first(flows.createApiKeysWorkflow, container, {
    api_keys: [{ title, type, created_by: '' }],
  });
  const [publishable, secret] = [await key('shop', 'publishable'), await key('orders', 'secret')];
  await flows.linkSalesChannelsToApiKeyWorkflow(container).run({
    input: { id: publishable.id, add: [channel.id] },
  });
  return { channel, publishable, secret };
}

async function regionWithTax(container) {
  const stores = container.resolve(Modules.STORE);
  const [store] = await stores.listStores();
  await flows.updateStoresWorkflow(container).run({
    input: {
      selector: { id: store.id },
      update: { supported_currencies: [{ currency_code: 'eur', is_default: true }] },
    },
  });
  const preferences = container.resolve(Modules.PRICING);
  const known = await preferences.listPricePreferences({ attribute: 'currency_code', value: 'eur' });
  if (known.length) {
    await preferences.updatePricePreferences(known[0].id, { is_tax_inclusive: true });
  } else {
    await preferences.createPricePreferences([
      { attribute: 'currency_code', value: 'eur', is_tax_inclusive: true },
    ]);
  }
  const region = await first(flows.createRegionsWorkflow, container, {
    regions: [{
      name: 'Europe', currency_code: 'eur', countries: COUNTRIES,
      payment_providers: ['pp_system_default'], is_tax_inclusive: true,
    }],
  });
  await flows.createTaxRegionsWorkflow(container).run({
    input: COUNTRIES.map((country_code) => ({
      country_code, provider_id: 'tp_system',
      default_rate: { rate: 20, code: 'TVA', name: 'TVA' },
    })),
  });
  return region;
}

async function warehouse(container, channel) {
  const location = await first(flows.createStockLocationsWorkflow, container, {
    locations: [{
      name: 'Entrepôt', address: { city: 'Lyon', country_code: 'FR', address_1: '-' },
    }],
  });
  const link = container.resolve(ContainerRegistrationKeys.LINK);
  await link.create({
    [Modules.STOCK_LOCATION]: { stock_location_id: location.id },
    [Modules.FULFILLMENT]: { fulfillment_provider_id: 'manual_manual' },
  });
  await flows.linkSalesChannelsToStockLocationWorkflow(container).run({
    input: { id: location.id, add: [channel.id] },
  });
  return { location, link };
}

async function delivery(container, { location, link }) {
  const fulfilment = container.resolve(Modules.FULFILLMENT);
  const [existing] = await fulfilment.listShippingProfiles({ type: 'default' });
  const profile = existing ?? await first(flows.createShippingProfilesWorkflow, container, {
    data: [{ name: 'Colis', type: 'default' }],
  });
  const set = await fulfilment.createFulfillmentSets({
    name: 'Livraison', type: 'shipping',
    service_zones: [{ name: 'France', geo_zones: [{ country_code: 'fr', type: 'country' }] }],
  });
  await link.create({
    [Modules.STOCK_LOCATION]: { stock_location_id: location.id },
    [Modules.FULFILLMENT]: { fulfillment_set_id: set.id },
  });
  await flows.createShippingOptionsWorkflow(container).run({
    input: [{
      name: 'Livraison à domicile', price_type: 'flat', provider_id: 'manual_manual',
      service_zone_id: set.service_zones[0].id, shipping_profile_id: profile.id,
      type: { label: 'Domicile', description: '', code: 'standard' },
      data: { days_min: 2, days_max: 4 },
      prices: [{ currency_code: 'eur', amount: 4.9 }],
      rules: [
        { attribute: 'enabled_in_store', value: 'true', operator: 'eq' },
        { attribute: 'is_return', value: 'false', operator: 'eq' },
      ],
    }],
  });
  return profile;
}

module.exports.default = async function seed({ container }) {
  const { channel, publishable, secret } = await channelWithKeys(container);
  const region = await regionWithTax(container);
  const stock = await warehouse(container, channel);
  const profile = await delivery(container, stock);
  writeFileSync(process.env.SHOP_ACCOUNTS, JSON.stringify({
    publishable_key: publishable.token,
    secret_key: secret.token,
    region: region.id,
    sales_channel: channel.id,
    stock_location: stock.location.id,
    shipping_profile: profile.id,
  }, null, 1), { mode: 0o600 });
};
