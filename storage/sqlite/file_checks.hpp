#pragma once
// FileChecks: what `verify` asks of a store in a file before it asks for rows: pages, tables and
// indexes, references, schema. The rules over rows are the same for every engine and lie in
// storage/verify.
// Thread rule: as the Connection. Errors: its failure(); a check that cannot read on ends.

#include "storage/sqlite/connection.hpp"
#include "storage/verify/check.hpp"

namespace fencegate::storage::sqlite {

struct FileChecks {
    Check pages{"pages", "each page carries the seal it was written with, free ones too"};
    Check file{"file", "tables and indexes are whole and agree, as SQLite reads them"};
    Check foreign_keys{"foreign_keys", "no row refers to one that is not there"};
    Check schema{"schema", "tables, indexes, triggers and views are those of this version"};
};

void check_pages(Connection& connection, const VerifyOptions& options, Check& check);
void check_file(Connection& connection, const VerifyOptions& options, Check& check);
void check_objects(Connection& connection, Check& check);
void check_foreign_keys(Connection& connection, Check& check);

}  // namespace fencegate::storage::sqlite
