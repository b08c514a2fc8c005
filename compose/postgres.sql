-- What Cloud SQL has in a new instance. The superuser that runs this is cloudsqladmin; `postgres` and every user made later are members of
-- cloudsqlsuperuser, which is none. Run once in each new server: by compose/postgres.yaml and by the embedded one.
CREATE ROLE cloudsqlsuperuser NOLOGIN CREATEDB CREATEROLE;
GRANT pg_monitor, pg_signal_backend, pg_read_all_stats TO cloudsqlsuperuser WITH ADMIN OPTION;
CREATE ROLE postgres LOGIN CREATEDB CREATEROLE IN ROLE cloudsqlsuperuser;
ALTER DATABASE postgres OWNER TO cloudsqlsuperuser;
GRANT ALL ON DATABASE template1 TO cloudsqlsuperuser;
