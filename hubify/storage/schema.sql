-- The tables of the SQLite engine, form 1 (PRAGMA user_version). Why so, with figures:
-- docs/decisions/0003-current-rows-and-moved-past.md. All times are commit timestamps.

-- Rows as they stand. Numbers grow with time, so new rows go to the end of the tree.
CREATE TABLE rows (
  id INTEGER PRIMARY KEY,
  tbl INTEGER NOT NULL,
  since INTEGER NOT NULL,
  value BLOB NOT NULL
);
CREATE INDEX rows_of_table ON rows (tbl); -- ends with the id: a table is listed without the others

-- Index entries as they stand; the tree is the order of every index.
CREATE TABLE entries (
  idx INTEGER NOT NULL,
  key BLOB NOT NULL,
  id INTEGER NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY (idx, key)
) WITHOUT ROWID;

-- What stood from `since` until just before `until`. `seq` grows as `until` does: new versions go
-- to the end, and pruning takes them from the start.
CREATE TABLE past_rows (
  seq INTEGER PRIMARY KEY,
  id INTEGER NOT NULL,
  until INTEGER NOT NULL,
  since INTEGER NOT NULL,
  value BLOB NOT NULL
);
CREATE INDEX past_row_versions ON past_rows (id, until);

CREATE TABLE past_entries (
  seq INTEGER PRIMARY KEY,
  idx INTEGER NOT NULL,
  key BLOB NOT NULL,
  until INTEGER NOT NULL,
  since INTEGER NOT NULL,
  id INTEGER NOT NULL
);
CREATE INDEX past_entry_versions ON past_entries (idx, key, until);

-- Every commit: who asked for it, and which rows and entries it changed, without their values.
CREATE TABLE log (
  ts INTEGER PRIMARY KEY,
  function TEXT NOT NULL,
  caller TEXT NOT NULL,
  record BLOB NOT NULL
);
