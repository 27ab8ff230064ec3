{# Entries of a main table, and of other tables of its feed. Parameters: main_table, feed. #}
SELECT main_table, table_id, created_at, feed, identity, contract, rebuild
FROM {{ entries | identifier }}
WHERE main_table = @main_table OR feed = @feed
ORDER BY main_table
