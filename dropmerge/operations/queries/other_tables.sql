{# Feeds whose files were merged into another main table than their contract names. Parameters: tables. #}
SELECT feed, main_table
FROM `ops.main_tables`
WHERE CONCAT(feed, '=', main_table) NOT IN UNNEST(SPLIT(@tables))
