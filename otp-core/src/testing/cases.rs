/// Expands to a module with one test for each case of a suite.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_cases {
    ($suite:ident $attributes:tt $module:ident $fixture:ident $($case:ident,)+) => {
        mod $module {
            $($crate::conformance_cases!(@case $suite $attributes $fixture $case);)+
        }
    };
    (@case $suite:ident [$($attribute:tt)*] $fixture:ident $case:ident) => {
        $($attribute)*
        #[test]
        fn $case() {
            $crate::testing::store::run(async {
                let fixture = super::$fixture().await;
                $crate::testing::$suite::$case(&fixture).await;
            });
        }
    };
}
