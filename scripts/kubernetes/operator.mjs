// The objects of the Prometheus Operator in the given file, by the operator's own schemas: their values, not their names of fields,
// which check.py knows.
import { readFileSync } from "node:fs";
import * as models from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";

for (const object of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
	new models[object.kind](object).validate();
}
