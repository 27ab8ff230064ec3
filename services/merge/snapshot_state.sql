{# How many rows are live, and the newest generation that was merged. #}
SELECT
  (SELECT COUNTIF(NOT _t._deleted) FROM {{ main | identifier }} AS _t) AS live,
  (
    SELECT COALESCE(MAX(l.generation), 0)
    FROM {{ ledger | identifier }} AS l
    WHERE l.feed = {{ feed.name | literal }} AND l.table_id = {{ table_id | literal }}
  ) AS newest
