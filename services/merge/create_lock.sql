{# One row, which every merge into the main table updates inside its transaction. A table of its own for each main
   table: on BigQuery transactions that update one table, whichever rows, do not run at once. #}
CREATE TABLE IF NOT EXISTS {{ lock | identifier }} (main STRING NOT NULL, merges INT64 NOT NULL)
OPTIONS (labels = {{ labels | labels }})
