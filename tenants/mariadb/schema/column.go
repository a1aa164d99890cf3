package schema

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Bits of PRTYPE in INNODB_SYS_COLUMNS (data0type.h): the type of MySQL's
// protocol, flags, and the number of the collation.
const (
	typeMask      = 0xff
	typeNotNull   = 0x100
	typeUnsigned  = 0x200
	collationFrom = 16
	binary        = "binary"
)

// typeNames are the types of MySQL's protocol, enum_field_types.
var typeNames = map[int]string{
	0: "decimal", 1: "tinyint", 2: "smallint", 3: "int", 4: "float", 5: "double", 7: "timestamp", 8: "bigint", 9: "mediumint",
	10: "date", 11: "time", 12: "datetime", 13: "year", 14: "date", 15: "varchar", 16: "bit", 17: "timestamp", 18: "datetime", 19: "time",
	245: "json", 246: "decimal", 247: "enum", 248: "set", 253: "varchar", 254: "char", 255: "geometry",
}

// blobs maps LEN of a blob or text, which is 8 plus the bytes of its length, to its size.
var blobs = map[int]string{9: "tiny", 10: "", 11: "medium", 12: "long"}

// numbers lists the types that may be unsigned.
var numbers = map[int]bool{0: true, 1: true, 2: true, 3: true, 4: true, 5: true, 8: true, 9: true, 246: true}

// storedInt is the MTYPE of columns that InnoDB stores as numbers, including enum and
// set.
const storedInt = 6

// String types, whose length is part of the type.
const (
	typeBlobs, typeBlobsEnd = 249, 252
	typeVarchar             = 15
	typeVarString           = 253
	typeString              = 254
)

// columnLine turns "MTYPE PRTYPE LEN NAME" into a line of a shape, or "" for a column
// that InnoDB adds itself.
func columnLine(text string, collations map[string]string) string {
	fields := strings.SplitN(text, " ", 4)
	if len(fields) < 4 || fields[3] == "FTS_DOC_ID" || strings.HasPrefix(fields[3], "DB_") {
		return ""
	}
	var n [3]int
	for i := range n {
		n[i], _ = strconv.Atoi(fields[i])
	}
	collation, known := collations[strconv.Itoa(n[1]>>collationFrom)]
	if !known {
		collation = "collation " + strconv.Itoa(n[1]>>collationFrom)
	}
	line := "column `" + fields[3] + "` " + columnType(n[0], n[1]&typeMask, n[2], collation)
	if n[1]&typeUnsigned != 0 && numbers[n[1]&typeMask] {
		line += " unsigned"
	}
	if n[1]&typeNotNull != 0 {
		line += " not null"
	}
	return line + "\n"
}

// columnType returns a type such as "varbinary(255)", or "varchar of 1020 bytes
// utf8mb4_bin": the dictionary counts bytes.
func columnType(stored, kind, length int, collation string) string {
	name := typeNames[kind]
	switch {
	case kind == typeString && stored == storedInt:
		return fmt.Sprintf("enum or set of %d bytes", length)
	case kind >= typeBlobs && kind <= typeBlobsEnd && collation == binary:
		return blobs[length] + "blob"
	case kind >= typeBlobs && kind <= typeBlobsEnd:
		return blobs[length] + "text " + collation
	case kind == typeVarchar || kind == typeVarString || kind == typeString:
		if collation == binary {
			return fmt.Sprintf("%sbinary(%d)", strings.TrimSuffix(name, "char"), length)
		}
		return fmt.Sprintf("%s of %d bytes %s", name, length, collation)
	case name == "decimal" || name == "":
		return fmt.Sprintf("%s of %d bytes", cmp.Or(name, fmt.Sprint("type ", kind)), length)
	}
	return name
}
