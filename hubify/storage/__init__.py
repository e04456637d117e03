"""Engines that keep versioned rows and index entries behind one small contract."""
