// How the hosts tell values, failures and what a client asked for.

import { ConvexError, convexToJson } from "convex/values";

export const toJson = (value) => (value === undefined ? null : convexToJson(value));

export function failure(error) {
  const told = { name: error?.name ?? "Error", message: String(error?.message ?? error) };
  return error instanceof ConvexError ? { ...told, data: convexToJson(error.data) } : told;
}

// What kind of value the client handed over, so that a bigint is not taken for a number.
export function kinds(value) {
  if (Array.isArray(value)) return value.map(kinds);
  if (value instanceof ArrayBuffer) return "bytes";
  if (value === null) return "null";
  if (typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, kinds(item)]));
  return { bigint: "int64", number: "float64" }[typeof value] ?? typeof value;
}

// Gives one token after the other and goes on giving the last; remembers what it was asked.
export function tokenSource(tokens) {
  const asked = [];
  const fetch = async ({ forceRefreshToken }) => {
    asked.push(forceRefreshToken);
    return tokens[Math.min(asked.length, tokens.length) - 1] ?? null;
  };
  return { asked, fetch };
}
