{# The entry of a table that is no longer being built. #}
DELETE FROM {{ entries | identifier }} WHERE table_id = {{ table_id | literal }}
