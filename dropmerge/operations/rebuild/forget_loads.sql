{# What the ledger has of a table that was built and is not the live one. #}
DELETE FROM {{ ledger | identifier }} WHERE table_id = {{ table_id | literal }}
