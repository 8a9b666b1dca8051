// Delivery to the countries of a tariff only: a checker that says where, a calculator that says how
// much and how long. The days travel in the method's metadata, where connectors read them.
const { LanguageCode, ShippingCalculator, ShippingEligibilityChecker } = require('@vendure/core');

const described = (value) => [{ languageCode: LanguageCode.en, value }];

const deliveredCountries = new ShippingEligibilityChecker({
  code: 'delivered-countries',
  description: described('Delivers to some countries'),
  args: { countries: { type: 'string', list: true } },
  check: (_ctx, order, args) => args.countries.includes(order.shippingAddress?.countryCode),
});

const tariff = new ShippingCalculator({
  code: 'tariff',
  description: described('One price with tax, and days'),
  args: {
    price: { type: 'int' },
    taxRate: { type: 'int' },
    daysMin: { type: 'int' },
    daysMax: { type: 'int' },
  },
  calculate: (_ctx, _order, args) => ({
    price: args.price,
    taxRate: args.taxRate,
    priceIncludesTax: true,
    metadata: { daysMin: args.daysMin, daysMax: args.daysMax },
  }),
});

module.exports = { deliveredCountries, tariff };
