{# A main table's entry, new or in the place of the one with another id. Parameters: those of an entry, instead_of. #}
MERGE {{ entries | identifier }} AS e
USING (SELECT @main_table AS main_table) AS n
ON e.main_table = n.main_table
WHEN MATCHED AND e.table_id = @instead_of THEN UPDATE SET
  table_id = @table_id, created_at = @created_at, feed = @feed, identity = @identity, contract = @contract,
  rebuild = @rebuild
WHEN NOT MATCHED THEN
  INSERT (main_table, table_id, created_at, feed, identity, contract, rebuild)
  VALUES (@main_table, @table_id, @created_at, @feed, @identity, @contract, @rebuild)
