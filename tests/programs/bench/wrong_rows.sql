-- How many rows of a table differ from the expected answer, and how: BigQuery's SQL and DuckDB's alike.
-- A row is matched by its key; an older version is stale, and only where the version is right the values are compared.
SELECT
  (SELECT COUNT(*) FROM {expected}) AS expected_rows,
  COALESCE(SUM(CASE WHEN is_matched AND found_version < wanted_version THEN 1 ELSE 0 END), 0) AS stale,
  COALESCE(SUM(CASE WHEN is_matched AND found_version = wanted_version AND has_other_money THEN 1 ELSE 0 END), 0) AS money,
  COALESCE(SUM(CASE WHEN is_matched AND (
    found_version IS NULL OR found_version > wanted_version
    OR (found_version = wanted_version AND NOT has_other_money AND has_other_score)
  ) THEN 1 ELSE 0 END), 0) AS other,
  COALESCE(SUM(CASE WHEN is_wanted AND NOT is_found THEN 1 ELSE 0 END), 0) AS lost,
  COALESCE(SUM(CASE WHEN is_found AND NOT is_wanted THEN 1 ELSE 0 END), 0)
    + (SELECT COUNT(*) FROM {found})
    - (SELECT COUNT(*) FROM (SELECT customer_id, account_number FROM {found} GROUP BY customer_id, account_number))
    AS added
FROM (
  SELECT
    w.wanted IS NOT NULL AS is_wanted,
    f.found IS NOT NULL AS is_found,
    w.wanted IS NOT NULL AND f.found IS NOT NULL AS is_matched,
    w.last_modified AS wanted_version,
    f.last_modified AS found_version,
    w.account_balance IS DISTINCT FROM f.account_balance AS has_other_money,
    w.credit_score IS DISTINCT FROM f.credit_score AS has_other_score
  FROM (SELECT *, 1 AS wanted FROM {expected}) AS w
  FULL OUTER JOIN (
    SELECT customer_id, account_number, credit_score, account_balance, last_modified, 1 AS found FROM {found}
  ) AS f
  ON w.customer_id = f.customer_id AND w.account_number = f.account_number
)
