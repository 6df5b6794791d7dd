//! What lies in reach (floor 5).
