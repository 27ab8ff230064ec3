ARRAY(SELECT {{ text }} FROM UNNEST({{ array }}) AS {{ element }} WITH OFFSET AS {{ place }} ORDER BY {{ place }})
