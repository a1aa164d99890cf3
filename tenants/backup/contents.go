package backup

// Contents is the number of rows and the checksum of a dumped table.
type Contents struct {
	Rows     int64 `json:"rows"`
	Checksum int64 `json:"checksum"` // of CHECKSUM TABLE, or of the values as text for types whose checksums can differ
}
