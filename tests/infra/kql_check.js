// Parses and binds queries with Microsoft's own parser: {"schema": {table: "(column: type, …)"}, "queries": [text]} comes on
// standard input; a list of diagnostics for each query goes to standard output.
"use strict";
const fs = require("fs");
const path = require("path");
const vm = require("vm");

const folder = path.dirname(require.resolve("@kusto/language-service-next/package.json"));
for (const file of ["bridge.min.js", "Kusto.Language.Bridge.min.js"]) {
  vm.runInThisContext(fs.readFileSync(path.join(folder, file), "utf8"), { filename: file });
}
const { GlobalState, KustoCode, Symbols } = Kusto.Language;

const asked = JSON.parse(fs.readFileSync(0, "utf8"));
const tables = Object.entries(asked.schema).map(([name, columns]) => new Symbols.TableSymbol.$ctor7(name, columns, null));
const database = new Symbols.DatabaseSymbol.ctor("workspace", tables);
const globals = GlobalState.Default.WithDatabase(database);
const answers = asked.queries.map((query) => {
  const found = KustoCode.ParseAndAnalyze(query, globals).GetDiagnostics();
  const told = [];
  for (let i = 0; i < found.Count; i++) {
    const d = found.getItem(i);
    told.push(`${d.Severity}: ${d.Message} (at "${query.substr(d.Start, d.Length)}")`);
  }
  return told;
});
process.stdout.write(JSON.stringify(answers));
