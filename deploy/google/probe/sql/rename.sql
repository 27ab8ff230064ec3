ALTER TABLE {{ table | identifier }} RENAME TO {{ new_name | identifier }}
