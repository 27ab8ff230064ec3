CREATE TABLE {{ new | identifier }} CLONE {{ table | identifier }}
