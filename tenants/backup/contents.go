package backup

// Contents is what a table held when it was dumped.
type Contents struct {
	Rows     int64 `json:"rows"`
	Checksum int64 `json:"checksum"` // of CHECKSUM TABLE, or of the text of its values where that can differ
}
