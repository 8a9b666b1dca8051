// The real InstantSearch, without a page: widgets mounted on a started instance, driven through
// their own render options. Prints what each step saw as one JSON document.
import { algoliasearch } from "algoliasearch";
import { liteClient } from "algoliasearch/lite";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const instantsearch = require("instantsearch.js").default;
const {
  connectHierarchicalMenu,
  connectHits,
  connectPagination,
  connectRange,
  connectRefinementList,
  connectSearchBox,
  connectSortBy,
} = require("instantsearch.js/cjs/connectors");

const address = new URL(process.argv[2]);
const hosts = [
  { url: address.host, accept: "readWrite", protocol: address.protocol.slice(0, -1) },
];

const seen = {};
const steps = {};
const render = (name) => (options) => {
  seen[name] = options;
};
const searchClient = liteClient("comptoir", "none", { hosts });
const search = instantsearch({ indexName: "products", searchClient });

search.addWidgets([
  connectSearchBox(render("box"))({}),
  connectHits(render("hits"))({}),
  connectRefinementList(render("makers"))({ attribute: "manufacturer", limit: 20 }),
  connectRefinementList(render("merchants"))({ attribute: "merchant", limit: 20 }),
  connectHierarchicalMenu(render("categories"))({
    attributes: ["category.lvl0", "category.lvl1", "category.lvl2"],
  }),
  connectRange(render("price"))({ attribute: "price" }),
  connectPagination(render("pages"))({}),
  connectSortBy(render("sort"))({
    items: [
      { value: "products", label: "Relevance" },
      { value: "products_price_asc", label: "Cheapest" },
    ],
  }),
]);

const settled = () =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("no answer within 20 s")), 20_000);
    const end = (act, value) => {
      clearTimeout(timer);
      search.removeAllListeners("render");
      search.removeAllListeners("error");
      act(value);
    };
    search.on("error", (error) =>
      end(reject, error instanceof Error ? error : new Error(JSON.stringify(error))),
    );
    search.on("render", () => {
      if (search.status === "idle" && seen.hits?.results) end(resolve);
    });
  });

const step = async (act) => {
  const done = settled();
  act();
  await done;
  const { results } = seen.hits;
  return {
    query: results.query,
    total: results.nbHits,
    page: results.page,
    pages: results.nbPages,
    queryID: results.queryID,
    ids: seen.hits.items.map((hit) => hit.objectID),
    positions: seen.hits.items.map((hit) => hit.__position),
    prices: seen.hits.items.map((hit) => hit.price),
    highlighted: seen.hits.items.map((hit) => hit._highlightResult.title.value),
    makers: seen.makers.items.map(({ label, count, isRefined }) => ({ label, count, isRefined })),
    merchants: seen.merchants.items.map(({ label, count }) => ({ label, count })),
    categories: seen.categories.items.map(({ label, count, data }) => ({
      label,
      count,
      below: (data ?? []).map((row) => ({ label: row.label, count: row.count })),
    })),
    range: seen.price.range,
  };
};


steps.start = await step(() => search.start());
steps.query = await step(() => seen.box.refine("nordlys"));
steps.maker = await step(() => {
  seen.box.refine("");
  seen.makers.refine("Nordlys");
});
steps.unmaker = await step(() => seen.makers.refine("Nordlys"));
steps.category = await step(() => seen.categories.refine(seen.categories.items[0].value));
steps.uncategory = await step(() => seen.categories.refine(seen.categories.items[0].value));
steps.price = await step(() => seen.price.refine([11, 12]));
steps.unprice = await step(() => seen.price.refine([undefined, undefined]));
steps.page = await step(() => seen.pages.refine(1));
steps.sort = await step(() => seen.sort.refine("products_price_asc"));
seen.makers.searchForItems("nor");
for (let tries = 0; tries < 200 && !seen.makers.isFromSearch; tries += 1) {
  await new Promise((resolve) => setTimeout(resolve, 50));
}
steps.facet = seen.makers.items.map(({ label, count }) => ({ label, count }));
search.dispose();

const client = algoliasearch("comptoir", "none", { hosts });
const direct = await client.search({
  requests: [
    { indexName: "products", query: "nordlys", hitsPerPage: 2, attributesToHighlight: ["title"] },
    { indexName: "products", type: "facet", facet: "manufacturer", facetQuery: "amp" },
  ],
});
const single = await client.searchSingleIndex({
  indexName: "products",
  searchParams: { query: "lampe", filters: 'merchant:"Darti & Cie" AND price < 11.5' },
});
const facetValues = await client.searchForFacetValues({
  indexName: "products",
  facetName: "merchant",
  searchForFacetValuesRequest: { facetQuery: "vol" },
});
let refusal = null;
try {
  await client.search({ requests: [{ indexName: "products", filters: "NOT merchant:darti" }] });
} catch (error) {
  refusal = { status: error.status, message: error.message };
}
console.log(JSON.stringify({ steps, direct, single, facetValues, refusal }));
