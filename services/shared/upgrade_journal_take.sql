{# Set the events of an earlier release aside: BigQuery renames no column that a table is partitioned by. A journal of this
   release has no such column, and stays. #}
CREATE OR REPLACE TABLE {{ before | identifier }} AS
SELECT `at`, event, service, load_id, feed, bucket, object, generation, detail
FROM {{ journal | identifier }};
DROP TABLE {{ journal | identifier }}
