{# Which loads are applied to a main table. #}
CREATE TABLE IF NOT EXISTS {{ ledger | identifier }} (
  feed STRING NOT NULL, load_id STRING NOT NULL, merged_at TIMESTAMP NOT NULL, merge_id STRING NOT NULL
) CLUSTER BY feed, load_id
