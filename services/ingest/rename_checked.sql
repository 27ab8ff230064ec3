{# The checked table, all of whose rows are good, becomes the staging table in one step, with its labels, and without a row
   being written again (https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#alter_table_rename_to_statement). #}
ALTER TABLE {{ checked | identifier }} RENAME TO {{ name | identifier }}
